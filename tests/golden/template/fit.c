int before;
    /* region: fit */
    for (int i = 0; i < 3; i++) {
        fit(i);

    }
    /* end region */
    /* region: open */
int after;
