package bento

// What only tests see.
var (
	RetryAfter    = retryAfter
	ReadErrorBody = readErrorBody
	CheckText     = checkText
	Pages         = pages[int]
	Backoff       = RetryPolicy.backoff
	WithDefaults  = RetryPolicy.withDefaults
)

// Encode writes one record as a batch would.
func Encode[T any](record T) ([]byte, error) {
	return newEncoder[T]().append(nil, record)
}
