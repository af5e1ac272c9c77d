"""The pages of the rail, one a module, and their dialogs; each gets its service by constructor."""
