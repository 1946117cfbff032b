/* Raster: how much of each pixel lies inside an outline, exactly: for every pixel the signed area that
 * the outline's edges leave to their right. Edges come in any order; contours must be closed. */
#ifndef HOLDFAST_RASTER_H
#define HOLDFAST_RASTER_H

#include <stddef.h>
#include <stdint.h>

#define RASTER_ONE 256 /* of a pixel; all coordinates; y goes down */

struct raster {
	int32_t *cells; /* the caller's */
	size_t capacity;
	unsigned width, height;
};

/* Begin a picture of that size. 0 when it is larger than the cells. */
int raster_start(struct raster *r, unsigned width, unsigned height);

/* What lies outside is drawn onto the picture's border. Coordinates within +-2^26. */
void raster_line(struct raster *r, int x0, int y0, int x1, int y1);
/* A quadratic curve: from, control, to. */
void raster_curve(struct raster *r, int x0, int y0, int x1, int y1, int x2, int y2);

/* Coverage, 0 to 255, into ret[width * height]. The cells are zeroed. */
void raster_finish(struct raster *r, uint8_t *ret);

#endif
