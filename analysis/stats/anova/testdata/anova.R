# Reference values of the analysis of variance: Rscript anova.R > anova.json
# Sums of squares of type III are drop1() of the full model with contr.sum. Aligned ranks by definition, from least squares.
options(contrasts = c("contr.sum", "contr.poly"), digits = 17)
set.seed(7)

num <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ","), "]")
str <- function(v) paste0("[", paste0("\"", v, "\"", collapse = ","), "]")

table3 <- function(d, block, y) {
  d$y <- y
  f <- if (block) y ~ blk + A * B * C else y ~ A * B * C
  if (is.null(d$C)) f <- if (block) y ~ blk + A * B else y ~ A * B
  m <- lm(f, d)
  t <- drop1(m, scope = . ~ ., test = "F")[-1, ]
  list(m = m, ss = t[["Sum of Sq"]], df = t$Df, F = t[["F value"]], p = t[["Pr(>F)"]], names = rownames(t))
}

case <- function(name, d, block) {
  t <- table3(d, block, d$y)
  x <- model.matrix(t$m)
  a <- attr(x, "assign")
  aligned <- sapply(seq_along(t$names), function(i) {
    e <- resid(t$m) + as.vector(x[, a == i, drop = FALSE] %*% coef(t$m)[a == i])
    table3(d, block, rank(round(e, 9)))$F[i]
  })
  cells <- interaction(d[intersect(c("A", "B", "C"), names(d))], drop = TRUE)
  z <- abs(d$y - ave(d$y, cells, FUN = median))
  bf <- anova(lm(z ~ cells))
  ad <- {
    r <- sort(resid(t$m)); n <- length(r); p <- pnorm((r - mean(r)) / sd(r))
    -n - mean((2 * seq_len(n) - 1) * (log(p) + log(1 - rev(p))))
  }
  cat(sprintf('{"name":"%s","block":%s,"a":%s,"b":%s,"c":%s,"y":%s,\n "names":%s,"ss":%s,"df":%s,"f":%s,"p":%s,"aligned":%s,"rss":%.17g,"rdf":%d,"bf":%.17g,"bf_p":%.17g,"ad":%.17g}\n',
    name, str(if (block) as.character(d$blk) else rep("", nrow(d))), str(d$A), str(d$B),
    if (is.null(d$C)) "[]" else str(d$C), num(d$y), str(t$names), num(t$ss), num(t$df), num(t$F), num(t$p), num(aligned),
    deviance(t$m), df.residual(t$m), bf[["F value"]][1], bf[["Pr(>F)"]][1], ad))
}

cat(sprintf('{"made_with":"%s","cases":[\n', R.version.string))
d <- expand.grid(r = 1:4, A = c("a1", "a2", "a3"), B = c("b1", "b2"), stringsAsFactors = TRUE)
d$blk <- factor(paste0("k", d$r))
d$y <- round(10 + 3 * (d$A == "a2") + 2 * (d$B == "b2") * (d$A == "a3") + d$r / 2 + rnorm(nrow(d)), 6)
case("balanced", d, FALSE); cat(",\n")
case("blocked", d, TRUE); cat(",\n")
u <- d[-c(1, 2, 7, 13, 20), ]
case("unbalanced", u, FALSE); cat(",\n")
case("unbalanced blocked", u, TRUE); cat(",\n")
e <- expand.grid(r = 1:3, A = c("a1", "a2"), B = c("b1", "b2", "b3"), C = c("c1", "c2"), stringsAsFactors = TRUE)
e$y <- round(exp(1 + (e$A == "a2") * (e$C == "c2") + rnorm(nrow(e))), 6)
case("three factors, skewed", e[-c(4, 9, 10, 30), ], FALSE)
cat("]}\n")
