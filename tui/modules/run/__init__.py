"""One run of somebody's module: loaded, recorded call by call, and run again in part."""
