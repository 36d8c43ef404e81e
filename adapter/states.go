package adapter

import "github.com/envoydbg/envoydbg/adapter/breakpoints"

// state is where a session stands, as far as the client's requests go. It only
// moves forward.
type state int

const (
	stateNew          state = iota // initialize has not come
	stateInitializing              // lldb-dap is being started to answer initialize
	stateReady                     // launch or attach has not come
	statePreparing                 // launch or attach is here; lldb-dap has not been sent it
	stateWaiting                   // lldb-dap waits for Envoy, and answers nothing until then
	stateConfiguring               // Envoy is held; the client sets breakpoints
	stateConfigured                // the client is done; the startup has not let Envoy run
	stateRunning                   // everything goes to lldb-dap
	stateOver                      // the session ends
	stateEnded                     // nothing of it is left

	states = iota
)

func (s state) String() string {
	return [states]string{"new", "initializing", "ready", "preparing", "waiting", "configuring", "configured", "running", "over", "ended"}[s]
}

// action is what becomes of a request of the client's.
type action int

const (
	refuse     action = iota // out of order
	hold                     // waits, in order, for the next state
	pass                     // goes to lldb-dap
	begin                    // begins what the state waits for
	early                    // is answered now, and done when there is a program
	configured               // the client is done with its configuration
	notYet                   // is refused quietly: there is no process yet
	noThreads                // is answered: there is no process yet
	late                     // is refused quietly: the session is over
)

// actions has what each request does in each state. What is not in it does as
// "other". disconnect, terminate, cancel, restart, startAgent, stopAgent and
// envoyTimeline are the adapter's own in every state; see router.request.
var actions = map[string][states]action{
	//                    new     initializing ready  preparing waiting     configuring configured running over  ended
	"initialize":        {begin, refuse, refuse, refuse, refuse, refuse, refuse, refuse, late, late},
	"launch":            {refuse, hold, begin, refuse, refuse, refuse, refuse, refuse, late, late},
	"attach":            {refuse, hold, begin, refuse, refuse, refuse, refuse, refuse, late, late},
	"configurationDone": {refuse, hold, early, hold, configured, configured, hold, pass, late, late},
	"set":               {refuse, hold, early, hold, pass, pass, hold, pass, late, late}, // setBreakpoints and its like
	"threads":           {refuse, hold, pass, hold, noThreads, pass, hold, pass, late, late},
	"other":             {refuse, hold, pass, hold, notYet, pass, hold, pass, late, late},
}

func actionOf(command string, s state) action {
	row, ok := actions[command]
	switch {
	case ok && command != "set" && command != "other":
	case breakpoints.IsSet(command):
		row = actions["set"]
	default:
		row = actions["other"]
	}
	return row[s]
}
