"""What podfence finds doubtful in inputs that a server accepts."""
