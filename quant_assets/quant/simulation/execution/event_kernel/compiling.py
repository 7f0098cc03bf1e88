"""How the event kernel is compiled: without counting references to arrays.

Nothing is allocated in it, so there is nothing to count; with the runtime that counts, each reading
of an array behind a pointer ended with a call that forgets it again, after which all of memory was
read anew. Import this module lazily: it loads numba.
"""

from typing import Any

from quant_assets.core.kernels import across_files

PLAIN: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
# Of what only compiled code calls there is no version for Python: half of the work of compiling.
compiled = across_files(no_cpython_wrapper=True, no_cfunc_wrapper=True, **PLAIN)
compiled_door = across_files(**PLAIN)
