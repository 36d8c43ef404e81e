package warm

// Source is where a session may get an lldb-dap that has its program's symbols: the [Keeper] of
// its window, or those of other processes ([Windows]).
type Source interface {
	// Take begins the use by a session, which ends with Done. It returns the process that
	// fits what the session wants, and with it the duty to close it; or why there is none.
	Take(Want) (taken *Process, why string)
	// Next says what the next session will want: what this one has.
	Next(Want)
	// Done ends the use. It does not wait.
	Done()
}
