package terminal

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/google/go-dap"
)

const (
	// completionTime is how long a completion may take; LLDB reads debug
	// information for some.
	completionTime = 2 * time.Second
	// maxOptions is how many words are shown to choose from.
	maxOptions = 100
)

// completion is a word that may stand at the end of a line.
type completion struct {
	word string
	// typed is how much of it is there, in bytes.
	typed int
}

// completing is a line that someone wants to complete.
type completing struct {
	line   string
	answer chan []completion
}

// completions asks the loop; another goroutine calls it.
func (l *loop) completions(line string) []completion {
	c := completing{line: line, answer: make(chan []completion, 1)}
	late := time.After(completionTime)
	select {
	case l.tabs <- c:
	case <-late:
		return nil
	case <-l.done:
		return nil
	}
	select {
	case words := <-c.answer:
		return words
	case <-late:
	case <-l.done:
	}
	return nil
}

// completes answers with our words, and LLDB's where it can be asked.
func (l *loop) completes(c completing) {
	var ours []completion
	line := strings.TrimLeft(c.line, " ")
	if !strings.Contains(line, " ") {
		for _, w := range words {
			if strings.HasPrefix(w.name, line) {
				ours = append(ours, completion{w.name, len(line)})
			}
		}
	}
	if rest, ok := strings.CutPrefix(line, "info "); ok {
		for _, name := range infoNames() {
			if strings.HasPrefix(name, rest) {
				ours = append(ours, completion{name, len(rest)})
			}
		}
	}
	if !l.completable || !l.configured || l.ending {
		c.answer <- ours
		return
	}
	line = forLLDB(line)
	column := len(utf16.Encode([]rune(line))) + 1
	arguments := dap.CompletionsArguments{Text: line, Column: column}
	if l.stopped {
		arguments.FrameId = l.frame().Id
	}
	l.send("completions", arguments, func(m *dapio.Message) {
		var body dap.CompletionsResponseBody
		if client.Decode(m, &body) == nil {
			for _, t := range body.Targets {
				ours = append(ours, lldbCompletion(line, t))
			}
		}
		c.answer <- ours
	})
}

// forLLDB is the line as LLDB would be given it, so that it completes the right
// kind of word.
func forLLDB(line string) string {
	word, rest := cutWord(line)
	if rest == "" && !strings.HasSuffix(line, " ") {
		return line
	}
	switch word {
	case "lldb":
		return rest
	case "tbreak", "until":
		return "b " + rest
	case "watch", "print":
		return "p " + rest
	}
	return line
}

// lldbCompletion reads one of lldb-dap's. LLDB 22 says how much of the word is
// typed; before, that is the longest end of the line that the word begins with.
func lldbCompletion(line string, t dap.CompletionItem) completion {
	word := t.Text
	if word == "" {
		word = t.Label
	}
	if t.Length > 0 {
		return completion{word, min(t.Length, len(line))}
	}
	for n := min(len(word), len(line)); n > 0; n-- {
		if strings.HasSuffix(line, word[:n]) {
			return completion{word, n}
		}
	}
	return completion{word, 0}
}

// merge adds to the line what all its completions have in common; a single one is
// complete, and gets a space behind it. If nothing can be added, the words to
// choose from are returned.
func merge(line string, all []completion) (string, []string) {
	var ends, options []string
	for _, c := range all {
		if c.typed > len(c.word) || c.word == "" {
			continue
		}
		if end := c.word[c.typed:]; !slices.Contains(ends, end) {
			ends, options = append(ends, end), append(options, c.word)
		}
	}
	if len(ends) == 0 {
		return line, nil
	}
	if len(ends) == 1 {
		return line + ends[0] + " ", nil
	}
	common := ends[0]
	for _, end := range ends[1:] {
		for !strings.HasPrefix(end, common) {
			r := []rune(common)
			common = string(r[:len(r)-1])
		}
	}
	if common != "" {
		return line + common, nil
	}
	slices.Sort(options)
	if more := len(options) - maxOptions; more > 0 {
		options = append(options[:maxOptions], fmt.Sprintf("… and %d more", more))
	}
	return line, options
}
