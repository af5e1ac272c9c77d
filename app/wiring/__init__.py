"""What creates objects and chooses between them: the installation, the sandbox, the desks, the commands."""
