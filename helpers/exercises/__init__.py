"""The checks of each lesson, one module a lesson, named as its notebook."""
