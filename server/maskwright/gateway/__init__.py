"""WebSocket <-> messages: listening, authentication, limits, one session a client. Never imports torch or numpy."""
