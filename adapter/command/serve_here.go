package command

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/sourcemap"
)

// Doctor implements control.Backend.
func (b *backend) Doctor(ctx context.Context, p control.Configuration) (control.Findings, error) {
	text, err := json.Marshal(p.Attributes)
	if err != nil {
		return control.Findings{}, err
	}
	cfg, _, err := config.Parse(text)
	if err != nil {
		return control.Findings{}, err
	}
	kubectl, err := flagsOf(cfg)
	if err != nil {
		return control.Findings{}, err
	}
	dap := cfg.LLDBDap
	if dap == "" {
		dap = p.LLDBDap
	}
	program, envoyPath := cfg.Program, cfg.EnvoyPath
	if cfg.Local() && p.Attributes["program"] == nil && p.Attributes["envoyPath"] == nil {
		program, envoyPath = "", "" // the default is for a session; nobody has said that it is there
	}
	e := &examination{flags: &doctorFlags{pod: podFlags{kubectl: kubectl, container: cfg.Container}, dap: dap, server: cfg.LLDBServer,
		program: program, envoyPath: envoyPath, workTree: cfg.WorkTree, debugImage: cfg.DebugImage, folder: p.Folder}}
	if cfg.Local() {
		e.ofThisMachine(ctx)
	} else {
		e.ofPod(ctx, cfg.Target)
	}
	e.add(standingBy(b.warm.Status()))
	all := control.Findings{Findings: []control.Finding{}, Failed: e.failed()}
	for _, f := range e.found {
		one := control.Finding{Finding: f, Attribute: attributeIn(f.Fix)}
		if isCommand(f.Fix) {
			one.Command = f.Fix
		}
		all.Findings = append(all.Findings, one)
	}
	return all, ctx.Err()
}

var quoted = regexp.MustCompile(`"([A-Za-z.]+)"`)

// attributeIn is the launch attribute that a sentence for an editor's user names; "" for
// none.
func attributeIn(sentence string) string {
	for _, m := range quoted.FindAllStringSubmatch(sentence, -1) {
		if m[1] == "program" || slices.Contains(config.Own, m[1]) {
			return m[1]
		}
	}
	return ""
}

// Debuggers implements control.Backend.
func (b *backend) Debuggers(ctx context.Context, _ control.None) (control.Debuggers, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	found := control.Debuggers{Debuggers: []control.Debugger{}}
	for _, path := range lldb.AllDAPs() {
		d := control.Debugger{Path: path}
		v, err := versionOfDAP(ctx, path)
		if d.Version = v.Text; err != nil {
			d.Problem = fault.From(err).What
		}
		found.Debuggers = append(found.Debuggers, d)
	}
	return found, ctx.Err()
}

// Program implements control.Backend.
func (b *backend) Program(_ context.Context, p control.ProgramParams) (control.Program, error) {
	info, err := elfinfo.Read(p.Program)
	if err != nil {
		return control.Program{}, fault.BadProgram(p.Program, err)
	}
	tree := p.WorkTree
	if tree == "" {
		tree = sourcemap.FindWorkTree(p.Program, p.Folder)
	}
	return control.Program{Path: p.Program, BuildID: info.BuildID, Machine: info.Machine, Symbols: info.Symbols, DWARF: info.DWARF, WorkTree: tree}, nil
}

// SourceMap implements control.Backend.
func (b *backend) SourceMap(ctx context.Context, p control.ProgramParams) (sourcemap.Report, error) {
	cfg := sourcemap.Config{ELF: p.Program, WorkTree: p.WorkTree, DefaultTree: p.Folder, Cache: sourcemap.UserCache()}
	for _, pair := range p.SourceMap {
		cfg.User = append(cfg.User, sourcemap.Pair{From: pair[0], To: pair[1]})
	}
	m, damage, err := loadMap(ctx, p.Program, cfg)
	if err != nil {
		return sourcemap.Report{}, err
	}
	if damage != nil {
		b.listener.Log(control.LogEntry{Level: "warning", Message: damage.Error()})
	}
	say := b.progress(ctx)
	return m.Report(ctx, func(done int) {
		if done%1024 == 0 {
			say("%d of %d files", done, len(m.Entries))
		}
	})
}
