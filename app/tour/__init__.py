"""The guided tour: the main job and its refusals, each with the outcome it must have, on a fresh sandbox."""
