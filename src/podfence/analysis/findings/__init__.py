"""What the API server accepts and somebody would regret: every finding has a code, a place and a way out.

Read `catalogue` for the codes, `report` for the whole answer; one module for each family of findings.
"""
