# Reference values of the trend over the order of execution: Rscript trend.R > trend.json
# One treatment: cor.test's Kendall with correction for continuity (of ties too). Several: Hirsch, Slack and Smith's sums of S and of its variance.
num <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ","), "]")
S <- function(y) sum(sapply(seq_along(y), function(i) sum(sign(y[-(1:i)] - y[i]))))
V <- function(y) { n <- length(y); t <- table(y); (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5))) / 18 }
slopes <- function(x, y) unlist(lapply(seq_along(y), function(i) (y[-(1:i)] - y[i]) / abs(median(y)) / (x[-(1:i)] - x[i])))
case <- function(xs, ys, last = FALSE) {
  s <- sum(sapply(ys, S)); v <- sum(sapply(ys, V))
  p <- if (length(ys) == 1) cor.test(xs[[1]], ys[[1]], method = "kendall", exact = FALSE, continuity = TRUE)$p.value
       else min(1, 2 * pnorm(max(0, abs(s) - 1) / sqrt(v), lower.tail = FALSE))
  cat(sprintf('{"order":[%s],"values":[%s],"s":%d,"p":%.17g,"slope":%.17g}%s\n', paste(sapply(xs, num), collapse = ","),
    paste(sapply(ys, num), collapse = ","), as.integer(s), p, median(unlist(mapply(slopes, xs, ys, SIMPLIFY = FALSE))), if (last) "" else ","))
}
cat(sprintf('{"made_with":"%s","cases":[\n', R.version.string))
case(list(1:8), list(c(2.1, 2.0, 2.4, 2.3, 2.7, 2.6, 2.9, 3.1)))
case(list(c(2, 3, 5, 8, 11, 12)), list(c(5, 5, 4, 6, 4, 5)))
case(list(1:10), list(c(10, 9, 8, 7, 6, 5, 4, 3, 2, 1)))
case(list(c(1, 4, 5, 9), c(2, 3, 6, 7, 8)), list(c(1.0, 1.1, 1.3, 1.2), c(30, 31, 29, 33, 35)))
case(list(c(1, 4, 6), c(2, 5, 9), c(3, 7, 8)), list(c(3, 2, 1), c(10, 11, 12), c(100, 90, 95)), TRUE)
cat("]}\n")
