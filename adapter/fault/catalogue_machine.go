package fault

import (
	"fmt"
	"time"
)

// ED19xx: the adapter and its machine.

// Exhausted: the machine has run out of something. during says what came of it, found
// is the system's own word for it, and do what to do about it.
func Exhausted(resource, during, found, do string) *Fault {
	return &Fault{Code: 1906, What: fmt.Sprintf("A limit of this machine is reached: %s.", resource), Evidence: []string{during, found}, Do: do}
}

// Internal: a step that should not fail did.
func Internal(cause error) *Fault {
	return &Fault{Code: 1901, What: "An internal step failed.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Start the session again; with " + logFile() + " the trace says what happened."}
}

// BadClient: the client's stream is not DAP.
func BadClient(cause error) *Fault {
	return &Fault{Code: 1902, What: "The client sent something that is not the Debug Adapter Protocol.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "\"envoydbg dap\" is started by an editor; in a terminal use \"envoydbg run\"."}
}

// OutOfOrder: a request came at a point where it makes no sense.
func OutOfOrder(command, why string) *Fault {
	return &Fault{Code: 1903, What: fmt.Sprintf("The request %q cannot be answered: %s.", command, why),
		Do: "The client should send initialize, then launch or attach, once each."}
}

// Panicked: a step of the adapter's own failed in a way that nobody foresaw.
func Panicked(what string, p any) *Fault {
	return &Fault{Code: 1904, What: fmt.Sprintf("envoydbg has a defect: %s failed.", what), Evidence: []string{fmt.Sprint(p)},
		Do: "Please report it, with the trace that " + logFile() + " writes."}
}

// EndTooLong: the session's parts did not end in time.
func EndTooLong(waited time.Duration) *Fault {
	return &Fault{Code: 1905, Command: "ps -ef", What: fmt.Sprintf("The session did not end within %v; envoydbg ends without it.", waited),
		Do: "The helper ends by itself what it started; if \"ps -ef\" still shows lldb-dap or lldb-server after ten seconds, end them by hand."}
}

// OtherRelease: an editor's extension is of another release than this backend.
func OtherRelease(extension, ours string) *Fault {
	return &Fault{Code: 1907, What: fmt.Sprintf("The extension is version %s, but its envoydbg is version %s.", extension, ours),
		Do: `Clear the setting "envoy.adapterPath", so that the extension's own is used, or set it to that of version ` + extension + "."}
}
