package fault

import (
	"fmt"
	"strings"
)

// ED133x: an lldb-server that was started by hand. start is a sentence: the command that
// starts one.

// NoServerThere: nobody listens at its address, or it cannot be reached.
func NoServerThere(address, why, start string) *Fault {
	return &Fault{Code: 1331, What: fmt.Sprintf("There is no lldb-server at %s.", address), Evidence: []string{plain(why)},
		Do: "Start it, and leave it running. " + start}
}

// NoPlatformThere: something else listens at its address.
func NoPlatformThere(address, why, start string) *Fault {
	return &Fault{Code: 1332, Attribute: "debugServer.connect", What: fmt.Sprintf("What listens at %s is no platform of lldb-server.", address), Evidence: []string{plain(why)},
		Do: fmt.Sprintf("Start one at another port, and set %s to that. %s", Name("debugServer.connect"), start)}
}

// ServerElsewhere: it does not see Envoy's machine, processes or files.
func ServerElsewhere(address string, why []string, start string) *Fault {
	return &Fault{Code: 1333, What: fmt.Sprintf("The lldb-server at %s does not see what this session sees.", address), Evidence: why,
		Do: "End it, and start one that does. " + start}
}

// OtherServer: it is of another version than lldb-dap.
func OtherServer(address, version, dap string) *Fault {
	major, _, _ := strings.Cut(version, ".")
	return &Fault{Code: 1334, Attribute: "lldbDap", What: fmt.Sprintf("The lldb-server at %s is version %s, but lldb-dap is %s.", address, version, dap),
		Do: fmt.Sprintf("Start an lldb-server of lldb-dap's version there, or set %s to lldb-dap-%s.", Name("lldbDap"), major)}
}
