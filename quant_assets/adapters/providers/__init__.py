"""Data providers: one file each, found by walking; `base.Provider` says what one must do."""
