package paths

import (
	"path/filepath"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/internal/regular"
)

// subdue marks the frames of a stackTrace whose source is not on this machine, such as
// those of libc. VS Code shows them in grey, and opens the first frame that is not
// marked; of a source that is not here it could only say that.
func (w *Rewriter) subdue(edits []dapio.Edit, frame gjson.Result) []dapio.Edit {
	source := frame.Get("source")
	p := source.Get("path")
	if p.Type == gjson.String && source.Get("sourceReference").Int() == 0 && w.isHere(p.Str) {
		return edits
	}
	if !frame.Get("presentationHint").Exists() {
		edits = append(edits, dapio.InsertInto(frame, []byte(`"presentationHint":"subtle"`)))
	}
	if source.IsObject() && !source.Get("presentationHint").Exists() {
		edits = append(edits, dapio.InsertInto(source, []byte(`"presentationHint":"deemphasize"`)))
	}
	return edits
}

// isHere reports whether a path of the debugger's is, or stands for, a file on this
// machine.
func (w *Rewriter) isHere(debugPath string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sources != nil {
		if _, ok := w.sources.Local(debugPath); ok {
			return true
		}
	}
	here, known := w.here[debugPath]
	if !known {
		here = filepath.IsAbs(debugPath) && regular.Is(debugPath)
		w.here[debugPath] = here
	}
	return here
}
