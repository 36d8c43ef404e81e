package fault

import "strings"

// flags has the flag that stands for each launch attribute; nil where users write
// attributes. It is set once, before there is any fault.
var flags map[string]string

// SpeakOfFlags makes this process's faults name the flags of its command line in place
// of launch attributes. byAttribute has them, for example "--cwd" for agent.cwd; an
// attribute that it lacks is one for --set.
func SpeakOfFlags(byAttribute map[string]string) { flags = byAttribute }

// Name is how the user writes a launch attribute: "agent.cwd" in launch.json, --cwd on
// the command line.
func Name(attribute string) string {
	if flags == nil {
		return `"` + attribute + `"`
	}
	for name := attribute; name != ""; {
		if flag := flags[name]; flag != "" {
			return flag
		}
		name = name[:max(0, strings.LastIndexByte(name, '.'))] // agent.env.A: agent.env
	}
	return "--set " + attribute + "=…"
}

// Assign is how the user gives a launch attribute a value, which is JSON:
// "agent": {"start": "manual"} in launch.json, --start=manual on the command line.
func Assign(attribute, value string) string {
	if flags == nil {
		object, name, nested := strings.Cut(attribute, ".")
		if nested {
			return `"` + object + `": {"` + name + `": ` + value + `}`
		}
		return `"` + attribute + `": ` + value
	}
	switch flag := flags[attribute]; {
	case flag == "":
		return "--set " + attribute + "=" + value
	case strings.HasPrefix(flag, "--"):
		return flag + "=" + strings.Trim(value, `"`)
	default: // agent.command: what stands behind "--"
		return flag
	}
}

// console is where the user reads what the session's programs write.
func console() string {
	if flags == nil {
		return "in the debug console"
	}
	return "above"
}

// logFile is how the user has a trace written.
func logFile() string {
	if flags == nil {
		return Assign("trace", "true")
	}
	return `"--log FILE"`
}

// logName is how the user has named the file of a trace.
func logName() string {
	if flags == nil {
		return Name("trace") + " (on the command line --log)"
	}
	return "--log"
}
