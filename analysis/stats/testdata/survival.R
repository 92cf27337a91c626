# Reference values of Kaplan and Meier's estimate: Rscript survival.R > survival.json
library(survival)
num <- function(v) paste0("[", paste(ifelse(is.na(v), "null", sprintf("%.17g", v)), collapse = ","), "]")
cat(sprintf('{"made_with":"%s, survival %s","cases":[\n', R.version.string, packageVersion("survival")))
case <- function(t, e, last = FALSE) {
  f <- survfit(Surv(t, e) ~ 1, conf.type = "log-log", conf.int = 0.95)
  q <- quantile(f, 0.5)
  k <- f$n.event > 0
  cat(sprintf('{"time":%s,"event":%s,"at":%s,"surv":%s,"low":%s,"high":%s,"median":%s}%s\n', num(t), num(e), num(f$time[k]), num(f$surv[k]),
    num(f$lower[k]), num(f$upper[k]), num(c(q$quantile, q$lower, q$upper)), if (last) "" else ","))
}
case(c(6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35), c(1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0)) # Freireich 1963, 6-MP
case(c(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10), c(rep(1, 9), 0, 0, 0))
case(c(1, 2, 3, 4), c(1, 1, 0, 0))
case(c(2, 4, 4, 5, 8, 8, 9, 12, 15, 20), c(1, 1, 1, 0, 1, 1, 0, 1, 1, 1), TRUE)
cat("]}\n")
