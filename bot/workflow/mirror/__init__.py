"""The package that a run of the mirror workflow executes: it copies images to the target registry.

`imageto-bot setup` installs this folder in the mirror repository as `.github/mirror/`. It needs
Python 3.10 or newer and skopeo. It must import only the standard library and itself.

Lines of the image list, inputs of a dispatch and answers of registries are untrusted. Every
reference passes the grammar in `reference` before use. No shell is started. Passwords reach neither
an argument list, nor the log, nor the summary.
"""
