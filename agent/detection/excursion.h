/* What is told of the spike of an incident: how the excursions of its triggers stand, those that
 * opened it and those that joined. */
#ifndef AGENT_DETECTION_EXCURSION_H
#define AGENT_DETECTION_EXCURSION_H

/* In this order: of several the largest counts. A spike is over with the last of its triggers:
 * `above` and `below` with the first sample beyond `clear`; `spike` with the first sample that had
 * its score back under a third, which is certain once it has stayed there for 20 s (3 samples, if
 * those are longer), and likely (EBBED) after a quarter of that, 3 samples at the least; `reaches`
 * with the last sample that was on its way to the level, certain twice `within` later; `all` and
 * `any` with the last sample at which they were true, certain `within` later. `increases` fires for
 * what happens at a moment: it never tells when a spike is over, and keeps none open. Nor does a
 * gap: what is not measured lasts. */
enum excursion {
    EXCURSION_UNTOLD, /* none of the triggers tells when a spike is over */
    EXCURSION_OVER,
    EXCURSION_EBBED, /* it looks over, and may rise again */
    EXCURSION_LASTS
};

#endif
