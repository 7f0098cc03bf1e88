"""How the event kernel is compiled. Import it lazily: it loads numba."""

from quant_assets.core.kernels import across_files

# Of what only compiled code calls there is no version for Python: half of the work of compiling.
compiled = across_files(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
compiled_door = across_files(error_model="numpy")
