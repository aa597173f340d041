"""The mathematics of re-parameterizable blocks: torch and the standard library, nothing else."""
