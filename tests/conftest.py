"""Lets every test import what they share (`sandbox` and its neighbours) from this directory by name."""
