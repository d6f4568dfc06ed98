package simulator

import (
	"encoding/json"
	"net/http"
	"time"
)

// instead is the answer of a fault that strikes before the request is looked at.
func (f Fault) instead() answer {
	switch f {
	case Before500:
		return refuse(http.StatusInternalServerError, "simulated: broken before the work was done")
	case HTML502:
		return page(http.StatusBadGateway, "502 Bad Gateway")
	case HTML403:
		return page(http.StatusForbidden, "403 Forbidden")
	case HTML404, NoOrders:
		return page(http.StatusNotFound, "404 Not Found")
	case HTML413:
		return page(http.StatusRequestEntityTooLarge, "413 Request Entity Too Large")
	case CodeUnder200:
		a := refuse(http.StatusBadRequest, "simulated: refused by the envelope alone")
		a.status = http.StatusOK
		return a
	case Code500:
		a := refuse(http.StatusInternalServerError, "simulated: refused as a framework words it")
		a.status = http.StatusOK
		return a
	case Customer500:
		return refuse(http.StatusInternalServerError, "CUSTOMER_NOT_FOUND")
	case Throttle429:
		return refuse(http.StatusTooManyRequests, "simulated: too many requests")
	case NotFound404:
		return refuse(http.StatusNotFound, "simulated: session not found")
	case Redirect:
		return answer{
			kind:   kindRedirected,
			status: http.StatusFound,
			header: map[string]string{"Location": "/simulated-elsewhere"},
			isHTML: true,
		}
	case Unauthorized:
		return refuse(http.StatusUnauthorized, "simulated: the key was revoked")
	case Forbidden:
		return refuse(http.StatusForbidden, "simulated: this row is forbidden")
	case Refuse:
		return refuse(http.StatusUnprocessableEntity, "CUSTOMER_IDENTIFIER_NOT_MATCHED")
	default: // Lost for a GET, LostBefore
		return closeConnection()
	}
}

// spoil is the answer of a fault that strikes once the session exists.
func (f Fault) spoil(data createdData, request *createRequest, slowBy time.Duration) answer {
	switch f {
	case Lost:
		return closeConnection()
	case After500:
		return refuse(http.StatusInternalServerError, "simulated: broken after the work was done")
	case HTML200:
		return page(http.StatusOK, "Welcome")
	case Cut:
		a := success(kindClosed, data)
		a.ending = half
		return a
	case Slow:
		a := success(kindCreated, data)
		a.hold = slowBy
		return a
	case WrongAmount:
		data.OriginalAmount = json.Number(majorUnits(request.minor+1, request.digits))
	case WrongCurrency:
		data.OriginalCurrency = "EUR"
		if request.originalCurrency == "EUR" {
			data.OriginalCurrency = "USD"
		}
	case WrongReference:
		data.MerchantReferenceID = "other-" + request.merchantReferenceID
	case NoURL:
		data.URL = ""
	case BadURL:
		data.URL = "javascript:alert(1)"
	case NoExpiry:
		data.ExpireTime = ""
	}
	return success(kindCreated, data)
}

// lie is what a read says under a fault that changes its answer: of a session that nobody has paid that it is paid, and the
// other way round.
func (f Fault) lie(data readData) readData {
	switch f {
	case WrongReference:
		data.MerchantReferenceID = "other-" + data.MerchantReferenceID
		if data.PaymentStatus == Paid {
			data.Status, data.PaymentStatus = Expired, Unpaid
		} else {
			data.Status, data.PaymentStatus = Completed, Paid
		}
	case SaysExpired:
		data.Status, data.PaymentStatus = Expired, Unpaid
	}
	return data
}
