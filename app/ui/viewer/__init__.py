"""The image viewer (SCREENS.md f): series, canvas, and the page around them."""
