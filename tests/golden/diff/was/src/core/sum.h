double lb_sum(const double *x);
