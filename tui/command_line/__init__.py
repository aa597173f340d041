"""What is typed in the shell: the options of every command, what they ask for, completion, the man page."""
