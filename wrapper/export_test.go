package bento

// What only tests see.
var (
	RetryAfter    = retryAfter
	ReadErrorBody = readErrorBody
)
