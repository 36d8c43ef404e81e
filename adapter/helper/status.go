package helper

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A helper that runs as a daemon is reached by commands, each run beside Envoy for one
// stream (by an exec into a pod):
//
//	envoydbg-helper serve --dir DIR --session ID [--who TEXT] [--lease DURATION]
//	envoydbg-helper connect --dir DIR --session ID --protocol N
//	envoydbg-helper end --dir DIR --session ID
//	envoydbg-helper status --dir DIR
//	envoydbg-helper continue --dir DIR --session ID
//
// Serve starts the daemon and ends; connect passes its stdin and stdout on to it; end
// ends the daemon and all it has started, also when it does not answer. Status says who
// has the folder, and continue lets an Envoy run on that was left stopped. All first say
// on stdout how that went, in one line, a [Status]. After a failure they read their stdin
// until it is closed: where an exec ends with input pending, some container runtimes keep
// its stream open for minutes.

// Status is the first line of each of them.
type Status struct {
	// Problem is empty when all went well; Text then says nothing, otherwise what is
	// wrong, in words for the user.
	Problem Problem `json:"problem,omitempty"`
	Text    string  `json:"text,omitempty"`
	// Who has the session, and since when, for ProblemTaken and of status; State says
	// whether it is still one, and Left what it has left if not.
	Who   string    `json:"who,omitempty"`
	Since time.Time `json:"since,omitzero"`
	State State     `json:"state,omitempty"`
	Left  Left      `json:"left,omitzero"`
	// Now is when this is told, by the clock that all times here are of. WriteStatus sets
	// it, and ReadStatus translates the others.
	Now time.Time `json:"now,omitzero"`
	// Session is its name, and Processes are the agents and Envoys that run there,
	// whoever has started them; only status tells them.
	Session   string    `json:"session,omitempty"`
	Processes []Running `json:"processes,omitempty"`

	Version  string `json:"version,omitempty"`
	Protocol int    `json:"protocol,omitempty"`
	// PID is the daemon's, and Dir the session's folder.
	PID int    `json:"pid,omitempty"`
	Dir string `json:"dir,omitempty"`
	// Token is what a client must know; only serve tells it.
	Token string `json:"token,omitempty"`
	// Lease is how long the daemon lives without a client.
	Lease time.Duration `json:"lease,omitempty"`
}

// State is what becomes of a daemon's session.
type State string

// States.
const (
	StateSession State = "session" // it has a client, or waits for it to come back
	StateEnding  State = "ending"  // it was told to end, and will be gone in a moment
	StateRunning State = "running" // it is over, and has left the agent and Envoy running
	StateStopped State = "stopped" // it is over, and has left Envoy stopped
)

// Running is an agent or an Envoy.
type Running struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
	Args  []string  `json:"args"` // the program first
	// Ours: the session has started it.
	Ours bool `json:"ours"`
}

// Left is what a session has left when it was over.
type Left struct {
	Agent   int       `json:"agent"`
	Command []string  `json:"command"`           // the agent's
	Stopped []int     `json:"stopped,omitempty"` // those that do not run, for StateStopped
	Until   time.Time `json:"until,omitzero"`    // when all is ended, for StateStopped
}

// Problem is why a command has failed.
type Problem string

// Problems.
const (
	ProblemTaken      Problem = "taken"       // another session is there
	ProblemNoSession  Problem = "no-session"  // the session is not there (any more)
	ProblemUser       Problem = "user"        // what is there belongs to another user
	ProblemVersion    Problem = "version"     // the two sides are of different releases
	ProblemNotStopped Problem = "not-stopped" // nothing was left stopped
	ProblemRights     Problem = "rights"      // the kernel does not permit it
	ProblemFailed     Problem = "failed"      // anything else
)

// StatusError is a Status with a problem.
type StatusError struct{ Status }

// Error implements error.
func (e *StatusError) Error() string {
	if e.Who == "" {
		return e.Text
	}
	return fmt.Sprintf("%s (%s, since %s)", e.Text, e.Who, e.Since.Format(time.DateTime))
}

// The ends of the line, by which it is told from whatever else comes, such as the
// error message of a container runtime.
const (
	statusBegin = "envoydbg-helper: "
	statusEnd   = " .\n"
)

// WriteStatus writes the line.
func WriteStatus(w io.Writer, s Status) error {
	s.Now = time.Now()
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, statusBegin+string(b)+statusEnd)
	return err
}

// sameClock is how far two clocks may be apart before times are translated: the way of the
// line is between them.
const sameClock = time.Minute

// here are the same times by this machine's clock, which says now. That of another machine
// may be wrong, and a user reads "since" by this one.
func (s Status) here(now time.Time) Status {
	shift := now.Sub(s.Now)
	if s.Now.IsZero() || shift.Abs() < sameClock {
		return s
	}
	for _, at := range []*time.Time{&s.Now, &s.Since, &s.Left.Until} {
		if !at.IsZero() {
			*at = at.Add(shift)
		}
	}
	s.Processes = slices.Clone(s.Processes)
	for i := range s.Processes {
		s.Processes[i].Since = s.Processes[i].Since.Add(shift)
	}
	return s
}

// maxNoise bounds what may come before the line.
const maxNoise = 64 << 10

// ReadStatus reads up to the line and nothing beyond it. With a problem the error is a
// *[StatusError]; if the line does not come, the error says what came in its place.
func ReadStatus(in *bufio.Reader) (Status, error) {
	var s Status
	var noise strings.Builder
	for {
		line, err := in.ReadSlice('\n')
		text := string(line)
		if body, ok := strings.CutPrefix(text, statusBegin); ok && strings.HasSuffix(body, statusEnd) {
			if err := json.Unmarshal([]byte(strings.TrimSuffix(body, statusEnd)), &s); err != nil {
				return s, fmt.Errorf("the helper's first line cannot be read: %w: %s", err, text)
			}
			s = s.here(time.Now())
			if s.Problem != "" {
				return s, &StatusError{s}
			}
			return s, nil
		}
		noise.WriteString(text)
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		if err == nil && noise.Len() > maxNoise {
			err = errors.New("too much text")
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			if said := strings.TrimSpace(noise.String()); said != "" {
				return s, fmt.Errorf("the helper did not answer: %w: %s", err, said)
			}
			return s, fmt.Errorf("the helper did not answer: %w", err)
		}
	}
}
