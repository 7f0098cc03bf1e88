"""What people look at: the tear sheet and small pictures. Pure functions, frames to bytes."""
