"""What the buttons in the Studio start, and what the editor is told of it."""
