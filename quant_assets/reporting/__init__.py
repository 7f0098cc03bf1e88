"""What people look at: the tear sheet and the small pictures. Pure functions from frames to bytes."""
