"""What was taken away and comes back: a saved study, or a kernel that any tool wrote; read without torch."""
