package anova

import (
	"gonum.org/v1/gonum/mat"
)

// A fit is a least-squares solution.
type fit struct {
	beta      []float64
	residuals []float64
	rss       float64
}

// A model is a matrix of full rank, decomposed.
type model struct {
	x  *mat.Dense
	qr mat.QR
}

// decompose is nil if the columns depend on each other.
func decompose(x *mat.Dense) *model {
	rows, columns := x.Dims()
	if rows < columns {
		return nil
	}
	m := &model{x: x}
	m.qr.Factorize(x)
	if m.qr.Cond() > 1e10 {
		return nil
	}
	return m
}

func (m *model) fit(y []float64) (fit, error) {
	n, p := m.x.Dims()
	beta := mat.NewVecDense(p, nil)
	if err := m.qr.SolveVecTo(beta, false, mat.NewVecDense(n, y)); err != nil {
		return fit{}, err
	}
	residuals := mat.NewVecDense(n, nil)
	residuals.MulVec(m.x, beta)
	f := fit{beta: beta.RawVector().Data, residuals: make([]float64, n)}
	for i := range y {
		f.residuals[i] = y[i] - residuals.AtVec(i)
		f.rss += f.residuals[i] * f.residuals[i]
	}
	return f, nil
}
