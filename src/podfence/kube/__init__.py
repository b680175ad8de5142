"""The edge to an API server: who we are, what we may read, and lists straight into the model.

`kubeconfig` finds the server, `credentials` say who asks, `client` sends one request, `listing` reads every page
of a kind, `source` makes Manifests of them. `access` is the role that all of it needs.
"""
