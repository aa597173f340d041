"""Where steps are not understood: a module known by its answers to zeros and to impulses."""
