package job

import (
	"cmp"
	"encoding/json"

	"paylinks/clink"
	"paylinks/job/invoice"
)

// NewRow turns a good row of the file into the item that the ledger takes. itemName is the job-wide name that
// the customer sees where the row has no description.
func (id Identity) NewRow(row invoice.Row, itemName string) NewItem {
	inv := row.Invoice
	reference := inv.ID
	switch {
	case inv.ID == "":
		reference = id.GeneratedReference(row.Line)
	case inv.Series != "":
		reference = inv.Series + "-" + inv.ID
	}
	return NewItem{
		Row:       row.Line,
		Cells:     row.Cells,
		InvoiceID: inv.ID,
		Invoice:   id.InvoiceKey(inv),
		Reference: reference,
		Currency:  inv.Amount.CurrencyCode(),
		Amount:    inv.TenThousandths(),
		Request:   request(inv, reference, itemName),
	}
}

// request is what Clink is asked for: registered mode for a row with product and price ids, else one inline
// item, since Clink's own tool always sends one of the two.
func request(inv invoice.Invoice, reference, itemName string) clink.SessionRequest {
	req := clink.SessionRequest{
		Amount:                               json.Number(inv.AmountText),
		Currency:                             inv.Amount.CurrencyCode(),
		CustomerID:                           inv.CustomerID,
		CustomerEmail:                        inv.CustomerEmail,
		ReferenceCustomerID:                  inv.ReferenceCustomerID,
		MerchantReferenceID:                  reference,
		ProductID:                            inv.ProductID,
		PriceID:                              inv.PriceID,
		UIMode:                               inv.UIMode,
		ReturnURL:                            inv.ReturnURL,
		SuccessURL:                           inv.SuccessURL,
		CancelURL:                            inv.CancelURL,
		PaymentMethodType:                    inv.PaymentMethodType,
		PaymentMethodTypeBlackList:           inv.PaymentMethodBlackList,
		DirectPaymentQrCodePaymentMethodType: inv.DirectPaymentQRCode,
		AllowPromotionCodes:                  inv.AllowPromotionCodes,
		PromotionCode:                        inv.PromotionCode,
	}
	if inv.ProductID != "" {
		return req
	}
	name := inv.Description
	if name == "" {
		name = itemName
	}
	if name == "" {
		name = "Invoice " + cmp.Or(inv.ID, reference)
	}
	for _, line := range inv.Lines {
		req.PriceData = append(req.PriceData, clink.PriceData{
			Name:       cmp.Or(line.Description, name),
			Quantity:   max(line.Quantity, 1),
			UnitAmount: json.Number(line.UnitAmount),
			Currency:   req.Currency,
			ImageURL:   line.ImageURL,
		})
	}
	if len(inv.Lines) > 0 {
		return req
	}
	item := clink.PriceData{
		Name:       name,
		Quantity:   max(inv.Quantity, 1),
		UnitAmount: json.Number(inv.UnitAmount),
		Currency:   req.Currency,
		ImageURL:   inv.ImageURL,
	}
	if item.UnitAmount == "" {
		item.UnitAmount = req.Amount
	}
	req.PriceData = []clink.PriceData{item}
	return req
}
