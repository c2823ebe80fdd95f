package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

var orders = map[token.Token]struct{ name, edge string }{
	token.LSS: {"Less", "<="}, token.LEQ: {"LessEqual", "<"}, token.GTR: {"Greater", ">="}, token.GEQ: {"GreaterEqual", ">"},
}

var arithmetic = map[token.Token]struct{ name, other string }{
	token.ADD: {"Add", "-"}, token.SUB: {"Subtract", "+"}, token.MUL: {"Multiply", "/"}, token.QUO: {"Divide", "*"},
}

// expression enters the mutants of an expression, and returns whether its parts may have some.
func (p *plan) expression(e ast.Expr) bool {
	tv := p.info.Types[e]
	if tv.IsType() {
		return false
	}
	if tv.Value != nil {
		p.constant(e, tv)
		return false
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		p.binary(e)
	case *ast.CallExpr:
		p.call(e)
		return false
	case *ast.KeyValueExpr: // a key that is a constant may have to be one
		if p.info.Types[e.Key].Value != nil || p.info.Types[e.Key].Type == nil {
			p.walk(e.Value)
			return false
		}
	}
	return true
}

// call leaves alone how much room make is to set aside.
func (p *plan) call(e *ast.CallExpr) {
	name, ok := e.Fun.(*ast.Ident)
	if !ok || name.Name != "make" {
		p.walk(e.Fun)
	}
	for i, arg := range e.Args {
		_, slice := p.info.Types[e.Args[0]].Type.(*types.Slice)
		if ok && name.Name == "make" && (i != 1 || !slice || len(e.Args) == 3) {
			continue
		}
		p.walk(arg)
	}
}

// constant adds one to a number, doubles a duration, and turns a truth round.
func (p *plan) constant(e ast.Expr, tv types.TypeAndValue) {
	basic, ok := tv.Type.Underlying().(*types.Basic)
	if !ok {
		return
	}
	switch {
	case tv.Type.String() == "time.Duration":
		if constant.Sign(tv.Value) != 0 {
			id := p.add(e, "%s: doubled", p.of(e))
			p.edit(p.around(e, fmt.Sprintf("mutantTwice(%d, ", id), ")", id))
		}
	case basic.Kind() == types.Bool || basic.Kind() == types.UntypedBool:
		id := p.add(e, "%s: negated", p.of(e))
		p.edit(p.around(e, "(", fmt.Sprintf(" != mutant(%d))", id), id))
	case basic.Info()&types.IsNumeric != 0 && basic.Info()&types.IsUntyped == 0 && basic.Info()&types.IsComplex == 0:
		id := p.add(e, "%s: plus 1", p.of(e))
		p.edit(p.around(e, fmt.Sprintf("mutantPlusOne[%s](%d, ", p.typeName(tv.Type), id), ")", id))
	}
}

func (p *plan) binary(e *ast.BinaryExpr) {
	text := p.of(e)
	op := e.Op.String()
	comma := func(ids ...int) { p.edit(p.instead(e.OpPos, len(op), ",", ids...)) }
	switch e.Op { //nolint:exhaustive // other operators are no mutants
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		o := orders[e.Op]
		edge, not := p.add(e, "%s: %s", text, o.edge), p.add(e, "%s: negated", text)
		p.edit(p.around(e, fmt.Sprintf("mutant%s(%d, %d, ", o.name, edge, not), ")", edge, not))
		comma(edge, not)
	case token.EQL, token.NEQ:
		id := p.add(e, "%s: negated", text)
		p.edit(p.around(e, "((", fmt.Sprintf(") != mutant(%d))", id), id))
	case token.LAND, token.LOR:
		left, right := p.add(e, "%s: without the left side", text), p.add(e, "%s: without the right side", text)
		join, not := "||", ""
		if e.Op == token.LOR {
			join, not = "&&", "!"
		}
		p.edit(p.around(e, "(", ")"))
		p.edit(p.around(e.X, "((", fmt.Sprintf(") %s %smutant(%d))", join, not, left), left))
		p.edit(p.around(e.Y, "((", fmt.Sprintf(") %s %smutant(%d))", join, not, right), right))
	case token.ADD, token.SUB, token.MUL, token.QUO:
		basic, ok := p.info.Types[e].Type.Underlying().(*types.Basic)
		if !ok || basic.Info()&types.IsNumeric == 0 {
			return
		}
		a := arithmetic[e.Op]
		id := p.add(e, "%s: %s", text, a.other)
		p.edit(p.around(e, fmt.Sprintf("mutant%s(%d, ", a.name, id), ")", id))
		comma(id)
	}
}
