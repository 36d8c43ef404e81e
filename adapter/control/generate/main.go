package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/control"
)

// described are the files with the types of the protocol, as seen from adapter/control.
var described = []string{"api.go", "../fault/form.go", "../../kube/finding.go", "../../sourcemap/report.go"}

func main() {
	out := flag.String("o", "", "the file to write")
	flag.Parse()
	comments, err := read(described...)
	if err == nil {
		err = write(*out, control.TypeScript(func(name string) string { return comments[name] }))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// read returns the comments of the types in Go files and of their members.
func read(files ...string) (map[string]string, error) {
	comments := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok {
				for _, spec := range d.Specs {
					if t, ok := spec.(*ast.TypeSpec); ok {
						note(comments, t, d.Doc)
					}
				}
			}
			return true
		})
	}
	return comments, nil
}

// note takes the comments of one type.
func note(comments map[string]string, t *ast.TypeSpec, doc *ast.CommentGroup) {
	comments[t.Name.Name] = doc.Text()
	var members *ast.FieldList
	switch is := t.Type.(type) {
	case *ast.StructType:
		members = is.Fields
	case *ast.InterfaceType:
		members = is.Methods
	default:
		return
	}
	for _, m := range members.List {
		text := strings.TrimSpace(m.Doc.Text() + m.Comment.Text())
		for _, name := range m.Names {
			comments[t.Name.Name+"."+name.Name] = text
		}
	}
}
