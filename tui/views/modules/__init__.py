"""What is shown of somebody's module: the tree of its modules, and what is under the cursor."""
