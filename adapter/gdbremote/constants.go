package gdbremote

import (
	"slices"
	"strings"
	"sync"
)

// constants are what a platform always answers, on each of its connections: LLDB connects
// to it when it is told to, and again for the attach.
type constants struct {
	mu      sync.Mutex
	answers map[string]string // nil once they may have changed
}

// constant are the questions for them, in LLDB's order. It asks the last one about the
// process, but the platform answers for its machine.
var constant = []string{"qHostInfo", "qGetWorkingDir", "qQueryGDBServer", "jSignalsInfo"}

func newConstants() *constants { return &constants{answers: map[string]string{}} }

func (k *constants) answer(question string) (string, bool) {
	if k == nil {
		return "", false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	reply, known := k.answers[question]
	return reply, known
}

// keep notes an answer if it is a constant.
func (k *constants) keep(question, reply string) {
	if k == nil || !slices.Contains(constant, question) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.answers != nil {
		k.answers[question] = reply
	}
}

// sent drops them when the client changes the folder that one of them is.
func (k *constants) sent(packet string) {
	if k == nil || !strings.HasPrefix(packet, "QSetWorkingDir") {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answers = nil
}

// unknown are those that can be asked for with question, the first of them.
func (k *constants) unknown(question string) []byte {
	if k == nil || question != constant[0] {
		return nil
	}
	return Notification(MarkNow + strings.Join(constant[1:], separator))
}
