"""What `reach` has found, in the formats that people and programs ask for. One module for each family of formats."""
