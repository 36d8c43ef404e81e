package fault

import (
	"fmt"
)

// ED12xx: what is beside Envoy.

// NoLLDBServer: lldb-server was not found beside Envoy.
func NoLLDBServer(name, why string) *Fault {
	return &Fault{Code: 1201, Kind: InstallLLDB, Attribute: "lldbServer", Command: "apt install lldb-19", What: "lldb-server was not found.", Evidence: []string{name, why},
		Do: `Install it ("apt install lldb-19"), or set ` + Name("lldbServer") + " to the program."}
}

// BuildIDMismatch: the local program is not the Envoy that will run.
func BuildIDMismatch(local, localID, remote, remoteID string) *Fault {
	return &Fault{Code: 1203, Attribute: "program", What: "The local program is not the Envoy that will run.",
		Evidence: []string{
			beside("program", local) + "   build-id " + orNone(localID),
			beside("envoyPath", remote) + "   build-id " + orNone(remoteID),
		},
		Do: "Breakpoints would land on wrong addresses. Set " + Name("program") + " to the unstripped file of that very build, or " +
			Name("envoyPath") + " to the build you have."}
}

// NoBuildID: neither file has a build-id, and they differ.
func NoBuildID(local, remote string) *Fault {
	return &Fault{Code: 1204, Attribute: "program", What: "It cannot be checked that the local program is the Envoy that will run: there is no build-id.",
		Evidence: []string{beside("program", local), beside("envoyPath", remote)},
		Do:       `Link Envoy with "-Wl,--build-id", or let ` + Name("program") + " and " + Name("envoyPath") + " name the same file."}
}

// BadEnvoyPath: the Envoy to run cannot be read.
func BadEnvoyPath(path, why string) *Fault {
	if f := refusal("read the Envoy that the agent would start", path, nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1205, Attribute: "envoyPath", What: "The Envoy that the agent would start cannot be read.", Evidence: []string{path, plain(why)},
		Do: "Set " + Name("envoyPath") + " to the Envoy executable (in an Istio image it is /usr/local/bin/envoy)."}
}

// ServerStart: lldb-server platform did not start.
func ServerStart(why string) *Fault {
	if f := exhausted("lldb-server does not start", nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1206, Attribute: "lldbServer", Command: "lldb-server version", What: "lldb-server does not start.", Evidence: []string{plain(why)},
		Do: `Run "lldb-server version" there to see why, or set ` + Name("lldbServer") + " to another one."}
}

// PlatformConnect: lldb-dap could not use the lldb-server platform.
func PlatformConnect(why string) *Fault {
	return &Fault{Code: 1207, Attribute: "lldbDap", What: "lldb-dap could not attach through lldb-server.", Evidence: []string{why},
		Do: "lldb-dap and lldb-server should be of one version; check " + Name("lldbDap") + " and " + Name("lldbServer") + ". LLDB's own words are " + console() + "."}
}

// WrongMachine: program and Envoy are for different processors.
func WrongMachine(local, localArch, remote, remoteArch string) *Fault {
	return &Fault{Code: 1208, Attribute: "program", What: fmt.Sprintf("The local program is for %s, the Envoy that will run is for %s.", localArch, remoteArch),
		Evidence: []string{beside("program", local), beside("envoyPath", remote)},
		Do:       "Set " + Name("program") + " to the build for " + remoteArch + "."}
}
