# Writes reference-r.json: what R says of fixed data. Run it with R 4.2 and survival 3.5 or newer: Rscript reference.R > reference-r.json
library(survival)
time <- c(6.1, 7.0, 9.4, 10.2, 10.2, 13.5, 16.0, 20.0, 20.0, 8.3, 11.9, 20.0)
over <- c(1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 0)
km <- survfit(Surv(time, over) ~ 1, conf.type = "plain")
keep <- km$n.event > 0
q <- summary(km)$table
hl <- function(a, b) { w <- suppressWarnings(wilcox.test(b, a, conf.int = TRUE, exact = TRUE)); c(w$conf.int[1], w$conf.int[2]) }
a <- c(1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30); b <- c(0.878, 0.647, 0.598, 2.05, 1.061, 1.29, 1.06, 3.14, 1.291)
pair <- suppressWarnings(wilcox.test(b, a, paired = TRUE, conf.int = TRUE, exact = TRUE))
list2 <- function(x) paste0("[", paste(sprintf("%.15g", x), collapse = ", "), "]")
cat(sprintf('{"r": "%s", "survival": "%s",\n', getRversion(), packageVersion("survival")))
cat(sprintf('"time": %s, "over": %s,\n', list2(time), list2(over)))
cat(sprintf('"steps": %s, "above": %s, "se": %s, "risk": %s,\n', list2(km$time[keep]), list2(km$surv[keep]), list2((km$std.err*km$surv)[keep]), list2(km$n.risk[keep])))
cat(sprintf('"median": %s, "median_low": %s, "median_high": %s,\n', list2(q["median"]), list2(q["0.95LCL"]), ifelse(is.na(q["0.95UCL"]), "null", list2(q["0.95UCL"]))))
cat(sprintf('"holm_p": %s, "holm": %s,\n', list2(c(0.01, 0.04, 0.03, 0.005, 0.5)), list2(p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "holm"))))
cat(sprintf('"base": %s, "head": %s, "shift_interval": %s, "paired_interval": %s,\n', list2(a), list2(b), list2(hl(a, b)), list2(pair$conf.int)))
# Two factors, unbalanced; type III with sum contrasts.
d <- data.frame(f = c("a","a","a","a","a","b","b","b","b","c","c","c","c","c","c"),
                g = c("x","x","x","y","y","x","x","y","y","x","x","y","y","y","x"),
                v = c(4.1, 3.9, 4.4, 5.2, 5.6, 6.0, 6.3, 9.1, 8.7, 4.0, 4.6, 5.1, 4.9, 5.5, 4.2))
d$f <- factor(d$f); d$g <- factor(d$g)
m <- lm(v ~ f * g, d, contrasts = list(f = contr.sum, g = contr.sum))
t3 <- drop1(m, . ~ ., test = "F")
cat(sprintf('"f": ["%s"], "g": ["%s"], "v": %s,\n', paste(d$f, collapse = '","'), paste(d$g, collapse = '","'), list2(d$v)))
cat(sprintf('"terms": ["%s"], "df": %s, "ss": %s, "F": %s, "p": %s, "residual_ss": %s, "residual_df": %s,\n', paste(rownames(t3)[-1], collapse = '","'),
            list2(t3$Df[-1]), list2(t3$`Sum of Sq`[-1]), list2(t3$`F value`[-1]), list2(t3$`Pr(>F)`[-1]), list2(sum(resid(m)^2)), list2(df.residual(m))))
s <- shapiro.test(resid(m))
cat(sprintf('"shapiro_w": %s, "shapiro_p": %s}\n', list2(s$statistic), list2(s$p.value)))
