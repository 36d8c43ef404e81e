package adapter

import (
	"fmt"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// bound counts the breakpoints that have a place. What one request sets is a
// group: the next request for the same file replaces it.
type bound struct {
	mu      sync.Mutex
	groups  map[string]map[int64]bool // group → id → verified
	presets []bool
}

// group names the breakpoints a request replaces.
func group(m *dapio.Message) string {
	if m.Name != "setBreakpoints" {
		return m.Name
	}
	return m.Name + " " + m.Get("arguments.source.path").String()
}

// answered takes the answer to a request of the group.
func (b *bound) answered(group string, m *dapio.Message) {
	if !m.Success {
		return
	}
	ids := map[int64]bool{}
	m.Get("body.breakpoints").ForEach(func(_, bp gjson.Result) bool {
		ids[bp.Get("id").Int()] = bp.Get("verified").Bool()
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.groups == nil {
		b.groups = map[string]map[int64]bool{}
	}
	b.groups[group] = ids
}

// changed takes a breakpoint event.
func (b *bound) changed(m *dapio.Message) {
	id, verified := m.Get("body.breakpoint.id").Int(), m.Get("body.breakpoint.verified").Bool()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ids := range b.groups {
		if _, ok := ids[id]; ok {
			ids[id] = verified
		}
	}
}

// add counts a preset.
func (b *bound) add(verified bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.presets = append(b.presets, verified)
}

// String is "2 of 3 verified".
func (b *bound) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	verified, all := 0, 0
	count := func(v bool) {
		all++
		if v {
			verified++
		}
	}
	for _, ids := range b.groups {
		for _, v := range ids {
			count(v)
		}
	}
	for _, v := range b.presets {
		count(v)
	}
	if all == 0 {
		return "none set"
	}
	return strings.TrimSpace(fmt.Sprintf("%d of %d verified", verified, all))
}
