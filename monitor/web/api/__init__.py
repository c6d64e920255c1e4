"""The API under /api/v1: what the page and the commands do, for programs.

Every operation is declared once (`operations.Operation`): method, path, parameters, what is sent, what is answered, and
what can be wrong. From that come its door, the check of what is asked, the OpenAPI document and its documentation.
"""
