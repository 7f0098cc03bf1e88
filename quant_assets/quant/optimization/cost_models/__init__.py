"""How an entrant minds costs when it trades towards its target, one file each."""
