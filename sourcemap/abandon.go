package sourcemap

import "context"

// abandonable calls f on a goroutine of its own and returns its result, or the
// error of ctx when ctx ends first: a stat or open on a dead network mount never
// returns. f goes on until the kernel lets it; it should then look at ctx.
func abandonable[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
