package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// A mutant is one small change of the source.
type mutant struct {
	file     string // its base name
	function string
	line     int
	change   string // "a < b: <="
	refused  bool   // by the compiler
}

// key names a mutant as long as the code that it changes stays, wherever that moves.
func (m mutant) key() string { return m.file + " " + m.function + " " + m.change }

// A plan is every mutant of a package, and the edits that put them all into it at once.
type plan struct {
	*source
	mutants []mutant
	edits   map[string][]edit // by file
	file    string
	inside  []string // the functions around the node
	taken   map[string]int
}

func planned(s *source) *plan {
	p := &plan{source: s, edits: map[string][]edit{}, taken: map[string]int{}}
	for _, file := range s.files {
		p.file = s.fset.Position(file.Pos()).Filename
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				p.inside = []string{functionName(d)}
				p.function(d.Type, d.Body)
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					p.inside = []string{"var"}
					p.walk(d)
				}
			}
		}
	}
	return p
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	receiver := d.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
			continue
		case *ast.IndexExpr:
			receiver = t.X
			continue
		case *ast.IndexListExpr:
			receiver = t.X
			continue
		case *ast.Ident:
			return t.Name + "." + d.Name.Name
		}
		return d.Name.Name
	}
}

// add enters a mutant and returns its number.
func (p *plan) add(n ast.Node, format string, args ...any) int {
	m := mutant{
		file: filepath.Base(p.file), function: p.inside[0],
		line: p.fset.Position(n.Pos()).Line, change: fmt.Sprintf(format, args...),
	}
	if p.taken[m.key()]++; p.taken[m.key()] > 1 {
		m.change += fmt.Sprintf(" (%d)", p.taken[m.key()])
	}
	p.mutants = append(p.mutants, m)
	return len(p.mutants) - 1
}

func (p *plan) edit(e edit) { p.edits[p.file] = append(p.edits[p.file], e) }

// of is the source of a node, short enough for a table.
func (p *plan) of(n ast.Node) string {
	text := p.text(n.Pos(), n.End())
	if runes := []rune(text); len(runes) > 90 {
		return string(runes[:60]) + " … " + string(runes[len(runes)-25:])
	}
	return text
}

func (p *plan) function(signature *ast.FuncType, body *ast.BlockStmt) {
	if body == nil {
		return
	}
	if signature.Results != nil { // a mutant may reach the end of it
		p.edit(edit{from: p.fset.Position(body.Rbrace).Offset, to: p.fset.Position(body.Rbrace).Offset, before: `; panic("mutant")`})
	}
	p.walkIn(signature, body)
}

func (p *plan) walk(n ast.Node) { p.walkIn(nil, n) }

func (p *plan) walkIn(signature *ast.FuncType, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			p.function(n.Type, n.Body)
			return false
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.ArrayType, *ast.ImportSpec:
			return false
		case *ast.ReturnStmt:
			p.returned(signature, n)
		case *ast.CaseClause:
			p.clause(signature, n)
			return false
		case ast.Stmt:
			p.statement(n)
		}
		if e, ok := n.(ast.Expr); ok {
			return p.expression(e)
		}
		return true
	})
}

// statement removes what can be left out, and negates what an if or a for asks.
func (p *plan) statement(n ast.Stmt) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		for _, s := range n.List {
			p.removed(s)
		}
	case *ast.IfStmt:
		p.negated(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			p.negated(n.Cond)
		}
	case *ast.CommClause:
		for _, s := range n.Body {
			p.removed(s)
		}
	}
}

func (p *plan) removed(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE || blank(s.Lhs) && !calls(s.Rhs) {
			return
		}
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok {
			name := p.text(call.Fun.Pos(), call.Fun.End())
			if name == "panic" || strings.HasSuffix(name, ".Grow") { // room made ahead changes only the speed
				return
			}
		}
	case *ast.IncDecStmt, *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt, *ast.BranchStmt:
	case *ast.ReturnStmt:
		if len(s.Results) > 0 {
			return
		}
	default:
		return
	}
	id := p.add(s, "removed: %s", p.of(s))
	p.edit(p.around(s, fmt.Sprintf("if !mutant(%d) { ", id), " }", id))
}

func blank(exprs []ast.Expr) bool {
	for _, e := range exprs {
		if name, ok := e.(*ast.Ident); !ok || name.Name != "_" {
			return false
		}
	}
	return true
}

func calls(exprs []ast.Expr) bool {
	for _, e := range exprs {
		if _, ok := e.(*ast.CallExpr); ok {
			return true
		}
	}
	return false
}

// negated turns a condition round, unless it is a comparison or made of parts: those have
// mutants of their own.
func (p *plan) negated(cond ast.Expr) {
	if b, ok := ast.Unparen(cond).(*ast.BinaryExpr); ok && b.Op != token.OR && b.Op != token.AND {
		return
	}
	id := p.add(cond, "%s: negated", p.of(cond))
	p.edit(p.around(cond, "(", fmt.Sprintf(" != mutant(%d))", id), id))
}

// clause goes through a case; the constants that it is for are not changed one by one.
func (p *plan) clause(signature *ast.FuncType, n *ast.CaseClause) {
	for _, s := range n.Body {
		p.removed(s)
	}
	p.deleted(n)
	for _, e := range n.List {
		if p.info.Types[e].Value == nil {
			p.walk(e)
		}
	}
	for _, s := range n.Body {
		p.walkIn(signature, s)
	}
}

// deleted makes a case fit nothing.
func (p *plan) deleted(n *ast.CaseClause) {
	for _, e := range n.List {
		tv := p.info.Types[e]
		switch {
		case tv.IsType() || tv.IsNil() || tv.Type == nil:
		case types.Identical(tv.Type.Underlying(), types.Typ[types.Bool]) || isUntypedBool(tv.Type):
			if tv.Value == nil {
				id := p.add(e, "case deleted: %s", p.of(e))
				p.edit(p.around(e, "(", fmt.Sprintf(" && !mutant(%d))", id), id))
			}
		default:
			id := p.add(e, "case deleted: %s", p.of(e))
			p.edit(p.around(e, fmt.Sprintf("mutantZero[%s](%d, ", p.typeName(tv.Type), id), ")", id))
		}
	}
}

func isUntypedBool(t types.Type) bool { return types.Identical(t, types.Typ[types.UntypedBool]) }

func (p *plan) typeName(t types.Type) string {
	return types.TypeString(t, func(other *types.Package) string {
		if other.Path() == p.path {
			return ""
		}
		return other.Name()
	})
}

// returned gives nil in the place of an error, and nothing in the place of another value.
func (p *plan) returned(signature *ast.FuncType, n *ast.ReturnStmt) {
	if signature == nil || signature.Results == nil || len(n.Results) != signature.Results.NumFields() {
		return
	}
	var declared []ast.Expr
	for _, field := range signature.Results.List {
		for range max(1, len(field.Names)) {
			declared = append(declared, field.Type)
		}
	}
	for i, result := range n.Results {
		tv := p.info.Types[result]
		if tv.IsNil() || tv.Value != nil || tv.Type == nil {
			continue
		}
		if name, ok := declared[i].(*ast.Ident); ok && name.Name == "error" {
			id := p.add(result, "return %s: nil", p.of(result))
			p.edit(p.around(result, fmt.Sprintf("mutantNoError(%d, ", id), ")", id))
			continue
		}
		switch e := ast.Unparen(result).(type) {
		case *ast.BinaryExpr, *ast.FuncLit, *ast.CompositeLit:
			continue // has mutants of its own, or is the whole function
		case *ast.UnaryExpr:
			if e.Op == token.AND {
				continue
			}
		}
		if _, tuple := tv.Type.(*types.Tuple); tuple {
			continue
		}
		id := p.add(result, "return %s: zero", p.of(result))
		p.edit(p.around(result, fmt.Sprintf("mutantZero[%s](%d, ", p.of(declared[i]), id), ")", id))
	}
}
