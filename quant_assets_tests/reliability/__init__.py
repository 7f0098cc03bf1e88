"""Kills, crashes, bad disks, interrupts, and sameness: real subprocesses on real data roots."""
